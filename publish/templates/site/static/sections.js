// The search page: sections first, whose headings or sentences have all the words. What it looks through is in SECTIONS.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const query = new URLSearchParams(location.search).get("q") || "";
  const wanted = query.toLowerCase().match(/[\p{L}\p{N}]+/gu) || [];
  if (!wanted.length || typeof SECTIONS === "undefined") return;
  const stem = (word) => (word.length > 4 ? word.replace(/(ies|es|s|y|e)$/, "") : word);
  const has = (words, word) => words.some((other) => other.startsWith(stem(word)));
  const found = SECTIONS.map(([page, lesson, id, title, text]) => {
    const heading = title.toLowerCase().match(/[\p{L}\p{N}]+/gu) || [];
    const words = text.split(" ");
    const score = wanted.map((word) => (has(heading, word) ? 10 : has(words, word) ? 1 : 0));
    return { page, lesson, id, title, score: score.includes(0) ? 0 : score.reduce((a, b) => a + b) };
  }).filter((section) => section.score);
  found.sort((a, b) => b.score - a.score); // stable: equal ones stay in the lessons' order
  if (!found.length) return;
  const part = document.createElement("section");
  part.id = "section-results";
  const heading = document.createElement("h2");
  heading.textContent = "Sections";
  const list = document.createElement("ul");
  for (const section of found.slice(0, 12)) {
    const link = document.createElement("a");
    link.href = `${section.page}.html#${section.id}`;
    link.textContent = section.title;
    const item = document.createElement("li");
    item.append(link, ` in ${section.lesson}`);
    list.append(item);
  }
  part.append(heading, list);
  document.getElementById("search-results").before(part);
});
