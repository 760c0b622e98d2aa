import { i18n } from "@lingui/core";
import { cleanup } from "@testing-library/react";
import { afterEach, beforeEach } from "vitest";
import { messages as buying } from "../src/i18n/en/buying.po";
import { messages as shop } from "../src/i18n/en/shop.po";

i18n.loadAndActivate({ locale: "en", messages: { ...shop, ...buying } });

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
});
afterEach(cleanup);
