// What is asked before something that cannot be taken back.

import { html, useState } from "../vendor/preact-htm.js";
import { t } from "../texts.js";
import { Dialog } from "./dialog.js";

// ask: with a title, a text, and the answers there are, each with a name and a value; promises the value of the one that is
// chosen, or null. shown: what is to be rendered.
export function useQuestions() {
  const [question, setQuestion] = useState(null);
  const ask = (asked) => new Promise((resolve) => {
    const answer = (value) => {
      setQuestion(null);
      resolve(value);
    };
    setQuestion({ ...asked, answer });
  });
  return { ask, shown: question && html`<${Question} key=${question} ...${question} />` };
}

function Question({ title, text, answers, answer }) {
  return html`
    <${Dialog} label=${title} kind="question" onClose=${() => answer(null)}>
      <h2>${title}</h2>
      <p>${text}</p>
      <div class="answers">
        ${answers.map(({ name, value }) => html`
          <button key=${name} class="primary" onClick=${() => answer(value)}>${name}</button>
        `)}
        <button onClick=${() => answer(null)}>${t("cancel")}</button>
      </div>
    <//>
  `;
}
