import { useSyncExternalStore } from "react";
import { cart } from "./cart";

/** The cart's lines, and what can be done with them. */
export function useCart() {
  const lines = useSyncExternalStore(cart.subscribe, cart.lines);
  return { ...cart, lines };
}
