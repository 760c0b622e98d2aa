/** Keeps the place of who uses a keyboard or a screen reader. Browsers move the focus to the top of
 *  the document when the focused button leaves the page or is disabled: after "Remove", or while
 *  something is being sent. */

/** Parts of a page where the focus may wait. */
const PARTS = "li, article, section, form, main";

/** Watch the elements below `root` until the returned function is called. */
export function keepFocus(root: HTMLElement): () => void {
  let last: HTMLElement | null = null;
  /** The parts around it, innermost first: an element that has left has none. */
  let around: HTMLElement[] = [];
  let waitsAt: HTMLElement | null = null;

  const onFocus = ({ target }: FocusEvent) => {
    if (target === waitsAt || !(target instanceof HTMLElement)) return;
    last = target;
    waitsAt = null;
    around = [];
    for (let part = target.closest<HTMLElement>(PARTS); part; ) {
      around.push(part);
      part = part.parentElement?.closest<HTMLElement>(PARTS) ?? null;
    }
  };
  // The user turned to nothing in particular.
  const onPointer = ({ target }: Event) => {
    if (target instanceof Node && !last?.contains(target)) last = null;
  };
  const observer = new MutationObserver(() => {
    if (!last) return;
    const isLost = !last.isConnected || last.matches(":disabled");
    if (!isLost) {
      // It is enabled again, and the user has not gone on.
      if (waitsAt && document.activeElement === waitsAt) last.focus({ preventScroll: true });
      waitsAt = null;
      return;
    }
    const active = document.activeElement;
    const isElsewhere = active !== document.body && active !== last && active !== waitsAt;
    if (isElsewhere || waitsAt?.isConnected) return;
    waitsAt = around.find((part) => part.isConnected && root.contains(part)) ?? null;
    if (!waitsAt) return;
    if (!waitsAt.hasAttribute("tabindex")) waitsAt.tabIndex = -1;
    waitsAt.focus({ preventScroll: true });
  });

  root.addEventListener("focusin", onFocus);
  root.addEventListener("pointerdown", onPointer);
  observer.observe(root, { childList: true, subtree: true, attributeFilter: ["disabled"] });
  return () => {
    observer.disconnect();
    root.removeEventListener("focusin", onFocus);
    root.removeEventListener("pointerdown", onPointer);
  };
}
