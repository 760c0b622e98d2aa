/** Stores pictures that are not uploaded yet in IndexedDB, so that they survive a reload. If it is full
 *  or disabled, they are only in this page's memory. */

const STORE = "pictures";
const memory = new Map<string, Blob[]>();

export async function keepPictures(name: string, pictures: Blob[]): Promise<void> {
  memory.set(name, pictures);
  try {
    await ask("readwrite", (store) =>
      pictures.length ? store.put(pictures, name) : store.delete(name),
    );
  } catch {
    // They are still in memory.
  }
}

export async function keptPictures(name: string): Promise<Blob[]> {
  const known = memory.get(name);
  if (known) return known;
  try {
    return (await ask<Blob[] | undefined>("readonly", (store) => store.get(name))) ?? [];
  } catch {
    return [];
  }
}

async function ask<T>(
  mode: IDBTransactionMode,
  request: (store: IDBObjectStore) => IDBRequest,
): Promise<T> {
  const database = await open();
  try {
    return await answer<T>(request(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

function open(): Promise<IDBDatabase> {
  const opening = indexedDB.open("omache", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  return answer(opening);
}

function answer<T>(request: IDBRequest): Promise<T> {
  return new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}
