/** Checks the cart's lines against the current products: what can be ordered, and at what price. */

import type { Product } from "../api/client";
import type { CartLine } from "./cart";

/** M-Pesa's limit for one payment, in whole KES. */
export const MOST_AT_ONCE = 250_000;

export type CheckedLine = CartLine & {
  /** The product as it is now; null if it is no longer for sale. */
  product: Product | null;
  state: "fine" | "gone" | "soldout" | "short" | "price";
  /** How many are available, if `state` is "short". */
  left: number;
};

/** The cart's lines with their current products, and what has changed since they were added. */
export function checkLines(
  lines: readonly CartLine[],
  products: readonly Product[],
): CheckedLine[] {
  const now = new Map(products.map((product) => [product.id, product]));
  return lines.map((line) => {
    const product = now.get(line.id) ?? null;
    return { ...line, product, state: stateOf(line, product), left: product?.available ?? 0 };
  });
}

function stateOf(line: CartLine, product: Product | null): CheckedLine["state"] {
  if (!product) return "gone";
  if (product.soldout) return "soldout";
  if (line.number > product.available) return "short";
  return product.price === line.price ? "fine" : "price";
}

/** The total at current prices, in KES, without goods that are sold out or no longer for sale. */
export function totalOf(lines: readonly CheckedLine[]): number {
  return lines
    .filter((line) => line.product && line.state !== "soldout")
    .reduce((sum, line) => sum + (line.product?.price ?? 0) * line.number, 0);
}

/** Whether all lines can be ordered as they are. Changed prices do not prevent it: they are shown. */
export function canOrder(lines: readonly CheckedLine[]): boolean {
  return (
    lines.length > 0 &&
    lines.every((line) => line.state === "fine" || line.state === "price") &&
    totalOf(lines) <= MOST_AT_ONCE
  );
}
