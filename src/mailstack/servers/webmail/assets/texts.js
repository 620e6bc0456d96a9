// Texts, apart from the code, for translation: one object of them for each language.

import en from "./texts/en.js";

const LANGUAGES = { en };

export function textsFor(languages) {
  for (const language of languages) {
    const found = LANGUAGES[language.toLowerCase().split("-")[0]];
    if (found) return { ...en, ...found };
  }
  return en;
}

const texts = textsFor(navigator.languages);

// {name} in a text stands for a value. A text with `one` and `other` goes by the value of {count}.
export function t(key, values = {}) {
  let text = texts[key];
  if (typeof text === "object") text = values.count === 1 ? text.one : text.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}
