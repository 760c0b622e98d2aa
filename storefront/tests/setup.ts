import { i18n } from "@lingui/core";
import { cleanup, configure } from "@testing-library/react";
import { afterEach, beforeEach } from "vitest";
import { connection } from "../src/api/connection";
import { session } from "../src/api/session";
import { messages as buying } from "../src/i18n/en/buying.po";
import { messages as delivering } from "../src/i18n/en/delivering.po";
import { messages as selling } from "../src/i18n/en/selling.po";
import { messages as shop } from "../src/i18n/en/shop.po";

i18n.loadAndActivate({ locale: "en", messages: { ...shop, ...buying, ...selling, ...delivering } });

// Without it everything counts as visible at once (useSeen in src/ui/parts.tsx).
Reflect.deleteProperty(globalThis, "IntersectionObserver");

// Long, for machines that stall.
configure({ asyncUtilTimeout: 60_000 });

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
});
afterEach(() => {
  cleanup();
  connection.answered();
  // Files share one process: nobody is signed in when the next test begins.
  session.end();
});
