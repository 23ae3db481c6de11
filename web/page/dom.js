/** Parts of the page by their data attributes, and what is written into them. */

/** The part of `root` that has the attribute data-`name`. */
export function part(root, name) {
  return root.querySelector(`[data-${name}]`);
}

/** Say one line at the head of a view; nothing where it is empty. */
export function tell(root, line, wrong = false) {
  const told = part(root, "told"); // on the page also while it is empty: screen readers hear of changes alone
  told.textContent = line;
  told.classList.toggle("wrong", wrong);
}

/** Say to screen readers alone what others see. */
export function announce(line) {
  part(document, "announced").textContent = line;
}

/** Show where a view begins, or where it has something to see; the focus, where it would be lost, goes to what is there then. */
export function showWork(root, there) {
  const [start, work] = [part(root, "start"), part(root, "work")];
  const lost = (there ? start : work).contains(document.activeElement);
  [start.hidden, work.hidden] = [there, !there];
  if (lost) (there ? part(root, "name") : part(start, "files")).focus();
}

/** Nothing is done in a view any more; the focus goes from the button that stops it to the heading. */
export function hideWaiting(root) {
  const waiting = part(root, "waiting");
  const lost = waiting.contains(document.activeElement);
  waiting.hidden = true;
  waiting.querySelector("progress").removeAttribute("value");
  if (lost) part(root, "name").focus();
}

/** Rows [term, value] as the terms of a list. */
export function listFacts(list, rows) {
  list.replaceChildren(...rows.flatMap(([term, value]) => [element("dt", term), element("dd", value)]));
}

/** An element with a text. */
export function element(tag, text) {
  return Object.assign(document.createElement(tag), { textContent: text });
}

/** Have the browser save a Blob under a name. */
export function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** What an error says, on one line, with the name of what it is about. */
export function lineOf(name, error) {
  return `${name}: ${error.message}`.replace(/\s+/g, " ");
}
