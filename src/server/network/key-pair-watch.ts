/** Follows the files of certificate and key, and brings a new pair into use once it is whole. */

import { type FSWatcher, realpathSync, statSync, watch } from "node:fs";
import { dirname } from "node:path";
import { ConfigError, type TlsFiles } from "../config.ts";
import { type KeyPair, readKeyPair } from "./key-pair.ts";

/** Milliseconds from the first sign of a change to looking at it: certificate and key come one after the other. */
const SETTLE = 200;

/**
 * Milliseconds between looks without a sign. Network file systems give none, and neither does a folder
 * above that is swapped.
 */
const INTERVAL = 30_000;

export interface Following {
  /** Where the pair in use came from. */
  readonly files: TlsFiles;
  readonly pair: KeyPair;
  /** A whole pair that differs from the last one. */
  readonly use: (pair: KeyPair) => void;
  /** Something is there that cannot be used. Said once for each such thing. */
  readonly complain: (sentence: string) => void;
  readonly interval?: number;
}

/**
 * Watches the folders, not the files: what renews certificates replaces files and links by others of the
 * same name (certbot swaps links, Kubernetes the link of a folder, others rename), and a watch on a file
 * would stay with the old one.
 */
export class KeyPairWatch {
  readonly #following: Following;
  readonly #folders = new Map<string, { readonly inode: number; readonly watcher: FSWatcher }>();
  readonly #timer: NodeJS.Timeout;
  #pair: KeyPair;
  #complaint = "";
  #soon: NodeJS.Timeout | undefined;

  constructor(following: Following) {
    this.#following = following;
    this.#pair = following.pair;
    this.#watchFolders();
    this.#timer = setInterval(() => this.#look(), following.interval ?? INTERVAL).unref();
    // What changed between the reading of the pair and the first watch gave no sign.
    this.#lookSoon();
  }

  close(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    for (const { watcher } of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  #lookSoon(): void {
    this.#soon ??= setTimeout(() => this.#look(), SETTLE).unref();
  }

  #look(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#watchFolders();
    try {
      const pair = readKeyPair(this.#following.files);
      this.#complaint = "";
      if (pair.cert.equals(this.#pair.cert) && pair.key.equals(this.#pair.key)) return;
      this.#pair = pair;
      this.#following.use(pair);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (error.message === this.#complaint) return;
      this.#complaint = error.message;
      this.#following.complain(error.message);
    }
  }

  /** Watches the folders that hold the files now, and those their links lead to. */
  #watchFolders(): void {
    const wanted = new Map(this.#foldersNow());
    for (const [folder, { inode, watcher }] of this.#folders) {
      if (wanted.get(folder) === inode) continue;
      watcher.close();
      this.#folders.delete(folder);
    }
    for (const [folder, inode] of wanted) if (!this.#folders.has(folder)) this.#watchFolder(folder, inode);
  }

  #watchFolder(folder: string, inode: number): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#lookSoon());
      // A folder that goes away; the next look finds the one in its place.
      watcher.on("error", () => watcher.close());
      this.#folders.set(folder, { inode, watcher });
    } catch {
      // The system has no watch to give: the looks without a sign remain.
    }
  }

  *#foldersNow(): Generator<[folder: string, inode: number]> {
    const { cert, key } = this.#following.files;
    for (const { text: file } of [cert, key]) {
      for (const path of [() => file, () => realpathSync(file)]) {
        try {
          const folder = dirname(path());
          yield [folder, statSync(folder).ino];
        } catch {
          // Not there just now.
        }
      }
    }
  }
}
