import { useSyncExternalStore } from "react";
import { cart } from "./cart";

/** The cart's lines and operations; renders again when the cart changes. */
export function useCart() {
  const lines = useSyncExternalStore(cart.subscribe, cart.lines);
  return { ...cart, lines };
}
