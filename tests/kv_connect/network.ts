/** A network namespace that can drop every packet between it and this machine. */

const isLinux = Deno.build.os === "linux";

/** Whether this process can make networks, which needs root, and the packages iproute2 and iptables. */
export async function canMakeNetworks(): Promise<boolean> {
  if (!isLinux) return false;
  try {
    await using network = await makeNetwork();
    await network.dropPackets();
    return true;
  } catch {
    return false;
  }
}

let made = 0;

/** Makes a network namespace that is connected to this one by a pair of virtual interfaces. */
export async function makeNetwork(): Promise<Network> {
  const name = `dh${Deno.pid}x${made++}`;
  const network = new Network(name, `10.231.${Deno.pid % 256}.${4 * (made % 64)}`);
  try {
    await network.up();
    return network;
  } catch (error) {
    await network[Symbol.asyncDispose]();
    throw error;
  }
}

/** See {@linkcode makeNetwork}. */
export class Network implements AsyncDisposable {
  readonly #name: string;
  readonly #here: string;
  /** The address inside. */
  readonly address: string;
  /** The command that runs the rest of its arguments inside. */
  readonly within: string[];

  /** @param subnet An IPv4 network of four addresses. */
  constructor(name: string, subnet: string) {
    const [a, b, c, d] = subnet.split(".").map(Number);
    this.#name = name;
    this.#here = `${a}.${b}.${c}.${d! + 1}`;
    this.address = `${a}.${b}.${c}.${d! + 2}`;
    this.within = ["ip", "netns", "exec", name];
  }

  async up(): Promise<void> {
    const [outside, inside] = [`${this.#name}a`, `${this.#name}b`];
    await run("ip", "netns", "add", this.#name);
    await run("ip", "link", "add", outside, "type", "veth", "peer", inside, "netns", this.#name);
    await run("ip", "addr", "add", `${this.#here}/30`, "dev", outside);
    await run("ip", "link", "set", outside, "up");
    await run("ip", "-n", this.#name, "addr", "add", `${this.address}/30`, "dev", inside);
    await run("ip", "-n", this.#name, "link", "set", inside, "up");
  }

  /** Drops every packet in both directions from now on, without resetting connections. */
  async dropPackets(): Promise<void> {
    for (const chain of ["INPUT", "OUTPUT"]) {
      await run(...this.within, "iptables", "-A", chain, "-j", "DROP");
    }
  }

  /** Stops dropping packets. */
  async passPackets(): Promise<void> {
    await run(...this.within, "iptables", "-F");
  }

  /** Removes the namespace; its interfaces go with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await run("ip", "netns", "del", this.#name).catch(() => {});
  }
}

async function run(...command: string[]): Promise<void> {
  const [program, ...args] = command;
  const { success, stderr } = await new Deno.Command(program!, { args, stdin: "null" }).output();
  if (!success) throw new Error(`${command.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
