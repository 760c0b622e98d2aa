/** A page that the browser translates. Chrome takes each text node out and puts a <font> with words
 *  of its own in its place. React does not know: what it writes into the text from then on nobody
 *  sees ("Not paid yet" would stay after the money came), and where it takes the text out, or puts
 *  something before it, it throws. So the text goes back, empty, before what stands in for it. Once
 *  React writes into it, the stand-in leaves, and the browser translates what is said now; when
 *  React takes it out, the stand-in leaves too. */

/** What stands in for a text, and what the text said. */
type StandIn = { font: Element; said: string };

/** Watch what happens below `root`, until the function that comes back is called. */
export function surviveTranslation(root: Node): () => void {
  const standIns = new Map<Text, StandIn>();
  const fonts = new Set<Node>();
  const observer = new MutationObserver((records) => {
    for (const record of records) {
      for (const node of record.removedNodes) {
        if (node instanceof Text && !standIns.has(node)) putBack(node, record);
      }
    }
    for (const [text, standIn] of standIns) settle(text, standIn);
    // What was done here is known.
    observer.takeRecords();
  });

  function putBack(
    text: Text,
    { target, addedNodes, previousSibling, nextSibling }: MutationRecord,
  ): void {
    const near = [...addedNodes, previousSibling, nextSibling];
    const font = near.filter(isFont).find((each) => !fonts.has(each));
    if (font?.parentNode !== target) return;
    // Some translators move the text into their element.
    if (font.contains(text)) text.replaceWith(text.cloneNode());
    standIns.set(text, { font, said: text.data });
    fonts.add(font);
    text.data = "";
    font.before(text);
    observer.observe(text, { characterData: true });
  }

  function settle(text: Text, { font, said }: StandIn): void {
    if (text.data === "" && text.nextSibling === font && text.isConnected) return;
    if (text.data === "" && text.isConnected && !font.isConnected) {
      // "Show original", which may have put a copy there.
      const copy = text.nextSibling;
      if (copy instanceof Text && copy.data === said) copy.remove();
      text.data = said;
    }
    standIns.delete(text);
    fonts.delete(font);
    font.remove();
  }

  observer.observe(root, { childList: true, subtree: true });
  return () => observer.disconnect();
}

function isFont(node: Node | null): node is Element {
  return node instanceof Element && node.localName === "font";
}
