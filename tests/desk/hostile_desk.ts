export {
  type Behavior as Behaviour,
  closeAfter as closingAfter,
  drip as dripping,
  head,
  type RawServer as HostileDesk,
  respondWith as answering,
  stallAfter as stallingAfter,
  startRawServer as startHostileDesk,
  startResettingServer as startResettingDesk,
  write,
} from "../support/raw_server.ts";
