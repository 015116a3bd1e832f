// Prints the names of the variables that the environment sets, separated by commas. The tasks that
// read .env run this first, without .env: a process that has read .env cannot distinguish the two.
const names = Object.keys(Deno.env.toObject()).filter((name) => /^\w+$/.test(name));
console.log(names.join(","));
