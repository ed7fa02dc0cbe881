"""What a form says of an input that its model cannot begin without."""

from hexwave_app.ui.model_option import ModelOption
from hexwave_app.ui.pages.video import VideoState


def test_a_first_frame_is_missed_where_the_model_needs_one() -> None:
    """By the name that the form has for it."""
    needs = ModelOption(title="Seedance 1.5 Pro, from a picture", first_frame=True, first_frame_needed=True)
    state = VideoState()
    assert state._lacking({"prompt": "A lake"}, needs) == "first frame"
    assert state._lacking({"prompt": "A lake", "firstFrame": "p/0"}, needs) == ""
    assert state._lacking({"prompt": "A lake"}, ModelOption(first_frame=True)) == ""
