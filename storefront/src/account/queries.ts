/** What the account's pages alone read. */

import { queryOptions } from "@tanstack/react-query";
import { dataOf, userApi } from "../api/client";
import { ApiError } from "../api/errors";

/** The phone that opens the account; null where the shop sends no codes. */
export const signInPhoneQuery = queryOptions({
  queryKey: ["account", "phone"],
  queryFn: async () => {
    try {
      return await dataOf(userApi.GET("/account/phone/"));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }
  },
});
