// Contestants take turns: A B C A B C, each turn a pass over its queries, so that what else the machine does weighs on
// all of them alike.

import { evenly, latencies, spread } from "./statistics.mjs";

/** Milliseconds that one turn of a slow contestant may take; it then answers fewer queries. */
const TURN_MS = 3000;
const FEWEST_QUERIES = 10;

/**
 * @typedef {object} Contestant
 * @property {string} name
 * @property {(query: number) => Promise<{milliseconds: number, processor?: number}>} call answers a query and returns
 *   its time on the clock, and the processor time of all threads meanwhile where it is known; both in milliseconds
 */

/**
 * Round 0 warms caches, compiled code and threads and is not counted. The first of a round changes from one to the
 * next.
 *
 * @param {readonly Contestant[]} contestants
 * @param {{queries: number, rounds: number}} options
 * @returns {Promise<(ReturnType<typeof latencies> & {processor?: ReturnType<typeof spread>})[]>} one a contestant;
 *   `processor`: mean of a round, spread over the rounds
 */
export async function takeTurns(contestants, { queries, rounds }) {
  const chosen = [];
  for (const { call } of contestants) chosen.push(await warmUp(call, queries));
  const times = contestants.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < contestants.length; i++) {
      const c = (i + round) % contestants.length;
      const turn = [];
      for (const query of chosen[c]) turn.push(await contestants[c].call(query));
      times[c].push(turn);
    }
  }
  return times.map((turns) => ({
    ...latencies(turns.map((turn) => turn.map(({ milliseconds }) => milliseconds))),
    processor: processorTime(turns),
  }));
}

/** Undefined when a call did not tell. */
function processorTime(turns) {
  if (turns.flat().some(({ processor }) => processor === undefined)) return undefined;
  return spread(turns.map((turn) => turn.reduce((sum, { processor }) => sum + processor, 0) / turn.length));
}

/** Answers queries for one turn's time and returns those that a turn has room for. */
async function warmUp(call, queries) {
  const order = evenly(queries, queries);
  let spent = 0;
  let answered = 0;
  while (answered < order.length && (spent < TURN_MS || answered < FEWEST_QUERIES)) {
    const before = performance.now();
    await call(order[answered++]);
    spent += performance.now() - before;
  }
  return evenly(queries, answered);
}
