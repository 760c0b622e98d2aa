import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { useState } from "react";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keepFocus } from "../src/app/focus";
import { ConfirmButton } from "../src/ui/ConfirmButton";
import { show } from "./page";

let end: () => void;
beforeEach(() => {
  end = keepFocus(document.body);
});
afterEach(() => end());

/** A line of a cart: its button leaves with it, or is disabled while something is sent. */
function Line() {
  const [isThere, setThere] = useState(true);
  const [isBusy, setBusy] = useState(false);
  return (
    <section aria-label="cart">
      {isThere && (
        <button type="button" onClick={() => setThere(false)}>
          Remove
        </button>
      )}
      <button type="button" disabled={isBusy} onClick={() => setBusy(true)}>
        Send
      </button>
      <input aria-label="number" />
      <output onClick={() => setBusy(false)} onKeyUp={() => undefined}>
        answer
      </output>
    </section>
  );
}

function press(name: string): void {
  const button = screen.getByRole("button", { name });
  button.focus();
  fireEvent.click(button);
}
const focused = () => document.activeElement?.getAttribute("aria-label");

test("the focus stays in the part of the page whose button has left", async () => {
  render(<Line />);
  press("Remove");

  await waitFor(() => expect(focused()).toBe("cart"));
});

test("the focus returns to a button that was disabled for a while", async () => {
  render(<Line />);
  press("Send");
  await waitFor(() => expect(focused()).toBe("cart"));

  fireEvent.click(screen.getByText("answer"));

  await waitFor(() => expect(document.activeElement?.textContent).toBe("Send"));
});

test("the focus is not taken from where the user has gone meanwhile", async () => {
  render(<Line />);
  press("Send");
  screen.getByLabelText("number").focus();

  fireEvent.click(screen.getByText("answer"));
  await new Promise((resolve) => setTimeout(resolve));

  expect(focused()).toBe("number");
});

test("a warning has the focus when it is asked for, and its button when it is left", () => {
  show(
    <ConfirmButton
      label="Cancel order"
      warning="The items go back on sale."
      confirm="Yes, cancel"
      isBusy={false}
      error={null}
      onConfirm={() => undefined}
    />,
  );
  press("Cancel order");
  expect(document.activeElement?.textContent).toContain("The items go back on sale.");

  press("Go back");
  expect(document.activeElement?.textContent).toBe("Cancel order");
});
