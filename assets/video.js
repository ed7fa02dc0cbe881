/* Clips in a stream: nothing of one is loaded before it is asked for. */
(() => {
  "use strict";

  window.hexwave.acts.hwPlay = (button) => {
    const frame = button.closest(".hw-frame");
    const video = frame.querySelector("video");
    frame.toggleAttribute("data-playing", true);
    video.focus();
    video.play();
  };
})();
