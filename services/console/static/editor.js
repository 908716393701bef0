/* The editor of texts: Trix around the field, which without scripts takes the HTML itself. */
"use strict";

/* Before the first editor is made: what texts may hold, as notify keeps it */
Trix.config.blockAttributes.heading1.tagName = "h2";
Trix.config.textAttributes.underline = { tagName: "u", inheritable: true };

for (const place of document.querySelectorAll("[data-editor]")) {
  const field = place.querySelector("textarea");
  const tools = place.querySelector("trix-toolbar");
  if (!tools) continue;
  const label = place.querySelector("label");
  const kept = document.createElement("input");
  Object.assign(kept, { type: "hidden", id: `${field.id}-kept`, name: field.name, value: field.value });
  const editor = document.createElement("trix-editor");
  editor.id = field.id;
  editor.setAttribute("input", kept.id);
  editor.setAttribute("toolbar", tools.id);
  editor.setAttribute("aria-label", label.textContent);
  editor.setAttribute("aria-multiline", "true");
  editor.className = "form-control editor-text";
  label.removeAttribute("for");
  label.addEventListener("click", () => editor.focus());
  tools.hidden = false;
  field.replaceWith(kept, editor);
  /* a text holds no files: pictures in mails are what filters look for */
  editor.addEventListener("trix-file-accept", (event) => event.preventDefault());
  /* the browser asks before a text that was changed is left */
  let changed = false;
  editor.addEventListener("trix-initialize", () => {
    const before = kept.value;
    editor.addEventListener("trix-change", () => { changed = kept.value !== before; });
  });
  editor.closest("form").addEventListener("submit", (event) => {
    if (!event.submitter || event.submitter.formTarget !== "preview") changed = false;
  });
  window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
}

/* A tag of the list goes where the cursor stands; tables and buttons on a line of their own */
let last = null;
document.addEventListener("focusin", (event) => {
  if (event.target.matches("trix-editor, #subject")) last = event.target;
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert]");
  if (!button) return;
  const tag = button.dataset.insert;
  const alone = "alone" in button.dataset;
  if (last && last.id === "subject" && !alone) {
    last.setRangeText(tag, last.selectionStart, last.selectionEnd, "end");
    last.focus();
    return;
  }
  const { editor } = document.querySelector("trix-editor");
  if (alone) editor.insertLineBreak();
  editor.insertString(tag);
  if (alone) editor.insertLineBreak();
  document.querySelector("trix-editor").focus();
});
