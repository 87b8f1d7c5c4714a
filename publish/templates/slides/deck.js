// Starts the deck once its formulas are drawn, and makes what is on a slide as large as it has room for, within limits.
const { width, height } = document.currentScript.dataset;
const [MOST, LEAST] = [1.4, 0.7]; // of the size in deck.css

function fitWidth(formula) {
  formula.style.fontSize = "100%";
  const share = formula.clientWidth / formula.querySelector("svg").getBoundingClientRect().width;
  if (share < 1) formula.style.fontSize = `${Math.floor(share * 100)}%`;
}

function fit(frame) {
  const formulas = [...frame.querySelectorAll('mjx-container[display="true"]')];
  for (let size = frame.querySelector("figure") ? 1 : MOST; size >= LEAST - 1e-9; size -= 0.05) {
    frame.style.setProperty("--size", size.toFixed(2));
    formulas.forEach(fitWidth);
    if (frame.scrollHeight <= frame.clientHeight && frame.scrollWidth <= frame.clientWidth) return;
  }
}

MathJax.startup.promise
  .then(() => document.fonts.ready)
  .then(() => {
    // The speaker's window has no style that would hide the formulas' second form, which is for screen readers.
    document.querySelectorAll(".notes mjx-assistive-mml").forEach((form) => form.remove());
    document.body.classList.add("measuring"); // every slide is laid out, none is seen
    document.querySelectorAll(".frame").forEach(fit);
    document.body.classList.remove("measuring");
    return Reveal.initialize({
      width: +width, height: +height, margin: 0, center: false, hash: true, controls: false, slideNumber: "c/t",
      transition: "none", plugins: [RevealNotes],
    });
  });
