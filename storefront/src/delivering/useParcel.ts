import { useMutation, useQueryClient } from "@tanstack/react-query";
import { dataOf, userApi } from "../api/client";
import { NoAnswer } from "../api/errors";
import type { Parcel } from "./queries";
import { keepUnsent, type Unsent } from "./unsent";

/** Send an action for a parcel. Without a response it is stored, and can be sent again: repeating it
 *  changes nothing. After any response the lists are fetched again. */
export function useParcel(parcel: number, done: (now: Parcel, pressed: Unsent) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (pressed: Unsent) => {
      keepUnsent(parcel, pressed);
      return send(parcel, pressed);
    },
    onSuccess: (now, pressed) => done(now, pressed),
    onSettled: (_, error) => {
      if (error instanceof NoAnswer) return;
      keepUnsent(parcel, null);
      void client.invalidateQueries({ queryKey: ["deliveries"] });
    },
  });
}

function send(parcel: number, { action, code, note, reason }: Unsent): Promise<Parcel> {
  const params = { path: { parcel_id: parcel } };
  if (action === "claim") return dataOf(userApi.POST("/deliveries/{parcel_id}/claim/", { params }));
  if (action === "release") {
    return dataOf(
      userApi.POST("/deliveries/{parcel_id}/release/", { params, body: { note: note ?? "" } }),
    );
  }
  if (action === "attempt") {
    return dataOf(
      userApi.POST("/deliveries/{parcel_id}/attempt/", {
        params,
        body: { reason: reason ?? "nobody_there", ...(note ? { note } : {}) },
      }),
    );
  }
  return dataOf(
    userApi.POST("/deliveries/{parcel_id}/move/", {
      params,
      body: { to: action, ...(code ? { code } : {}) },
    }),
  );
}
