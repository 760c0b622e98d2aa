// For browsers that cannot read the program: they see what Django painted, and are told the way on.
// Written as browsers of 2012 read it. Nobody else sees anything of it.
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
