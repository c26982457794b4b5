/** Requests that are measured. Every write has values of its own, so that none is a repetition. */

import { bulkOf, COUNT, idOf, LIST, request, updateOf } from "./world.ts";

let turn = 0;

/** Another number each time. */
export function nextTurn(): number {
  return ++turn;
}

export const getOne = (at: number) => request("GET", `${LIST}/${idOf(at % COUNT)}`);
export const putOne = () => {
  nextTurn();
  const index = (turn * 7919) % COUNT;
  return request("PUT", `${LIST}/${idOf(index)}`, updateOf(index, turn));
};
export const putBulk = (size: number, query = "") =>
  request("PUT", LIST + query, { interconnects: bulkOf(size, nextTurn()) });
