/** Changing the language on a bad connection, and while another page is being opened. */

import { i18n } from "@lingui/core";
import { fireEvent, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { Footer } from "../src/app/Footer";
import * as texts from "../src/i18n";
import { show } from "./page";

afterEach(async () => {
  vi.restoreAllMocks();
  await texts.changeLanguage("en");
});

it("says that the texts did not come, until they do", async () => {
  const change = vi.spyOn(texts, "changeLanguage").mockRejectedValueOnce(new TypeError("no file"));
  show(<Footer />);
  fireEvent.click(screen.getByRole("button", { name: "Kiswahili" }));
  expect((await screen.findByText(/could not reach the shop/)).getAttribute("role")).toBe("status");

  change.mockRestore();
  fireEvent.click(screen.getByRole("button", { name: "Kiswahili" }));
  await screen.findByRole("button", { name: "English" });
  expect(screen.getByRole("status").textContent).toBe("");
});

it("has the texts of a page that is opened meanwhile", async () => {
  const changing = texts.changeLanguage("sw");
  await Promise.resolve();
  await Promise.all([changing, texts.loadPart("delivering")]);

  const known = Object.keys((await import("../src/i18n/sw/delivering.po")).messages);
  expect(known.filter((id) => !(id in i18n.messages))).toEqual([]);
});
