// One origin for the page and Hexwave: that is what the cookie and the check of origins go by.
const hexwave = process.env.HEXWAVE_URL ?? "http://127.0.0.1:3000";
const proxy = { "/api": hexwave, "/media": hexwave };

export default { server: { proxy }, preview: { proxy } };
