import { useSyncExternalStore } from "react";
import { session } from "../api/session";

/** The signed-in user, or null. */
export function useUser() {
  return useSyncExternalStore(session.subscribe, session.user);
}
