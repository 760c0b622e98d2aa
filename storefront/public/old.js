// For browsers that cannot run the storefront: they see the server's HTML, and this shows what to do.
// Written in the JavaScript of 2012. It does nothing in other browsers.
(function () {
  function tell() {
    var said = document.getElementById("too-old");
    if (said) said.hidden = false;
  }
  if (!("noModule" in document.createElement("script")) || !Object.hasOwn) tell();
  window.addEventListener("error", function (event) {
    if (/SyntaxError/.test(event.message) && /\/static\/shop\//.test(event.filename)) tell();
  });
})();
