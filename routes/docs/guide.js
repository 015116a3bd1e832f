// Puts this service's URL into the examples, and a button to copy beside each.
const base = new URL(".", document.baseURI).href.replace(/\/$/, "");
for (const code of document.querySelectorAll("pre[data-run] code")) {
  if (code.textContent.includes("https://deskhand.example")) {
    code.textContent = code.textContent.replaceAll("https://deskhand.example", base);
  }
  // Absent on plain http, except on the reader's own machine.
  if (navigator.clipboard !== undefined) addCopyButton(code);
}

function addCopyButton(code) {
  const block = document.createElement("div");
  const button = document.createElement("button");
  block.className = "code";
  button.type = "button";
  button.textContent = "Copy";
  button.onclick = async () => {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
    setTimeout(() => button.textContent = "Copy", 2000);
  };
  const pre = code.parentElement;
  pre.before(block);
  block.append(pre, button);
}
