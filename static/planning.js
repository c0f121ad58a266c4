// Gives fields of the planning pages the name that screen readers need and Unfold leaves out: drop-downs drawn by select2, and
// fields in tables, which are named by the head of their column.

const words = (element) => element?.textContent.replace(/\s+/g, " ").trim() ?? "";

const labelOf = (field) => {
  const label = field.id && document.querySelector(`label[for="${CSS.escape(field.id)}"]`);
  if (label) return words(label);
  const cell = field.closest("td");
  const head = cell?.closest("table")?.tHead?.rows[0]?.cells[cell.cellIndex];
  return words(head) || (field.name || "").split("-").pop().replaceAll("_", " ");
};

const nameFields = () => {
  const drawnFields = ".select2-selection[role=combobox]:not([aria-label]), .select2-selection__rendered[role=textbox]:not([aria-label])";
  for (const drawn of document.querySelectorAll(drawnFields)) {
    const select = drawn.closest(".select2-container")?.previousElementSibling;
    const name = select && labelOf(select);
    if (name) {
      drawn.setAttribute("aria-label", name);
      drawn.removeAttribute("aria-labelledby");
    }
  }
  for (const field of document.querySelectorAll("td input:not([type=hidden]), td select, td textarea")) {
    if (!field.labels?.length && !field.hasAttribute("aria-label")) field.setAttribute("aria-label", labelOf(field));
  }
};

document.addEventListener("DOMContentLoaded", () => {
  nameFields();
  new MutationObserver(nameFields).observe(document.body, { childList: true, subtree: true });
});
