import { render, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test } from "vitest";
import { surviveTranslation } from "../src/app/translation";

let end: () => void;
beforeEach(() => {
  end = surviveTranslation(document.body);
});
afterEach(() => end());

/** As Chrome does it, in capital letters. */
async function translate(way: (text: Text, font: Element) => void = replace): Promise<void> {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode()) texts.push(walker.currentNode as Text);
  for (const text of texts.filter(({ data }) => data.trim())) {
    const font = document.createElement("font");
    font.textContent = text.data.toUpperCase();
    way(text, font);
  }
  await heard();
}
const replace = (text: Text, font: Element) => text.replaceWith(font);
const heard = () => new Promise((resolve) => setTimeout(resolve));

/** A payment: texts beside each other, and some that come and go. */
function Payment({ due = 1500, reason = "" }: { due?: number; reason?: string }) {
  return (
    <p>
      {reason && "Not paid: "}
      {reason}
      <b>now</b>
      {due} shillings
    </p>
  );
}
function Line({ isPaid }: { isPaid: boolean }) {
  return (
    <p>
      {isPaid && <b>paid </b>}
      an order
    </p>
  );
}
const shown = () => document.querySelector("p")?.textContent;

test("what React writes into a translated text is shown", async () => {
  const { rerender } = render(<Payment />);
  await translate();
  expect(shown()).toBe("NOW1500 SHILLINGS");

  rerender(<Payment due={700} />);

  await waitFor(() => expect(shown()).toBe("NOW700 SHILLINGS"));
});

test("a translated text that goes takes its translation along", async () => {
  const { rerender } = render(<Payment reason="no answer" />);
  await translate();
  expect(shown()).toBe("NOT PAID: NO ANSWERNOW1500 SHILLINGS");

  rerender(<Payment />);

  await waitFor(() => expect(shown()).toBe("NOW1500 SHILLINGS"));
});

test("something new is put before a translated text", async () => {
  const { rerender } = render(<Line isPaid={false} />);
  await translate();

  rerender(<Line isPaid={true} />);

  await waitFor(() => expect(shown()).toBe("paid AN ORDER"));
});

test("a text that is translated again, after a change, changes again", async () => {
  const { rerender } = render(<Payment />);
  await translate();
  rerender(<Payment due={700} />);
  await heard();
  await translate();
  rerender(<Payment due={300} />);

  await waitFor(() => expect(shown()).toBe("NOW300 SHILLINGS"));
});

const insertThenRemove = (text: Text, font: Element) => {
  text.before(font);
  text.remove();
};
const moveInto = (text: Text, font: Element) => {
  text.before(font);
  font.replaceChildren(text);
};
for (const [how, way] of Object.entries({ insertThenRemove, moveInto })) {
  test(`a translator that does it another way is survived: ${how}`, async () => {
    const { rerender } = render(<Payment reason="no answer" />);
    await translate(way);
    rerender(<Payment due={700} />);

    await waitFor(() => expect(shown()?.toLowerCase()).toBe("now700 shillings"));
  });
}

test("who asks for the original reads it, and what changes after it", async () => {
  const { rerender } = render(<Payment />);
  await translate();
  for (const font of document.querySelectorAll("font")) {
    font.replaceWith(document.createTextNode(font.textContent.toLowerCase()));
  }
  await waitFor(() => expect(shown()).toBe("now1500 shillings"));

  rerender(<Payment due={700} />);

  await waitFor(() => expect(shown()).toBe("now700 shillings"));
});
