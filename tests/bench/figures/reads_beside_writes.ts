import type { Figure } from "../figure.ts";
import { deskhand, Loader, script, type Server, start } from "../processes.ts";
import { reads, submissions } from "../requests.ts";
import { alternate, each, prepare, valuesOf } from "../rounds.ts";

const READERS = 4;
const WRITERS = 64;

/** How long a reader waits while others write as fast as they can, in the same tenant. */
export const readsBesideWrites: Figure = {
  name: "reads-beside-writes",
  about: "4 readers of one tenant's latest request beside 64 writers",
  async measure({ rounds, seconds, directory }) {
    await using floor = await start(script("floors/store.ts", `${directory}/floor.kv`));
    await using service = await start(deskhand(`${directory}/deskhand.kv`));
    await using readers = new Loader();
    await using writers = new Loader();
    const reading = await reads();
    const writing = await submissions({ isKeyed: true });
    await prepare(floor, writing, 1);
    await prepare(service, writing, 1);

    const round = async ({ port }: Server) => {
      await readers.open(port, READERS, reading);
      await writers.open(port, WRITERS, writing);
      const [read, written] = await Promise.all([
        readers.run({ seconds }),
        writers.run({ seconds }),
      ]);
      await readers.close();
      await writers.close();
      return { read, written };
    };
    const results = await alternate(rounds, {
      floor: () => round(floor),
      deskhand: () => round(service),
    });
    const read = each(results, ({ read }) => read);
    const written = each(results, ({ written }) => written);
    return [
      {
        what: "99th percentile of reads",
        unit: "ms",
        ...valuesOf(read, "p99"),
        goals: [
          { subject: "deskhand", bound: "at most", value: 10 },
          { subject: "ratio", bound: "at most", value: 0.4 },
        ],
      },
      { what: "reads", unit: "/s", ...valuesOf(read, "perSecond"), goals: [] },
      { what: "submissions", unit: "/s", ...valuesOf(written, "perSecond"), goals: [] },
    ];
  },
};
