import { useRef } from "react";
import { serverNow } from "../api/client";
import { useSecondsUntil } from "../ui/parts";

/** Responses have whole seconds, so two of them about the same moment may differ by this much, in
 *  milliseconds. */
const ROUNDING = 1_500;

/** Counts down the `seconds` of a response from when it arrived (`since`, in milliseconds by this
 *  device's clock); 0 for null. */
export function useSecondsLeft(seconds: number | null, since: number): number {
  const kept = useRef<number | null>(null);
  const end = seconds === null ? null : since + (serverNow() - Date.now()) + seconds * 1000;
  const { current } = kept;
  const isSame = end !== null && current !== null && Math.abs(end - current) < ROUNDING;
  if (!isSame) kept.current = end;
  return useSecondsUntil(kept.current);
}
