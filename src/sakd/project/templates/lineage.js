// Shows the site of kedro-viz without its tool bars, unfolds MODULES, and sends what is to be seen:
// the nodes, the size of the drawing at full zoom, errors of scripts, and what LOOK gives, if it is
// there. For each of these it waits PATIENCE seconds at most.
window.errors = [];
addEventListener("error", event => errors.push(event.message));
addEventListener("unhandledrejection", event => errors.push(String(event.reason)));

const hidden = ["globalNavigation", "sidebar", "miniMap", "expandPipelinesBtn", "exportBtn",
  "labelBtn", "layerBtn", "orientationBtn", "zoomToolbar"];
localStorage.setItem("KedroViz", JSON.stringify({
  theme: "light",
  showFeatureHints: false,
  visible: {sidebar: false, miniMap: false},
  display: Object.fromEntries(hidden.map(part => [part, false])),
}));

const pause = seconds => new Promise(done => setTimeout(done, 1000 * seconds));
const nodes = () => [...document.querySelectorAll("[data-node-fullname]")];
const until = async (find, complaint) => {
  for (const end = performance.now() + 1000 * PATIENCE; performance.now() < end;) {
    const found = find();
    if (found) return found;
    await pause(0.1);
  }
  throw new Error(complaint);
};
const node = name => until(
  () => nodes().find(each => name === undefined || each.dataset.nodeFullname === name),
  name === undefined ? "no node is shown" : `no node ${name} is shown`,
);
const click = element => element.dispatchEvent(new MouseEvent("click", {bubbles: true}));

const show = async () => {
  await node();
  for (const name of MODULES) {
    const before = nodes().length;
    click(await node(name));
    await until(() => nodes().length > before, `${name} does not unfold`);
    await pause(1);
  }
  await pause(1);
};
addEventListener("DOMContentLoaded", async () => {
  const look = () => globalThis.LOOK?.();
  const seen = await show().then(look).catch(error => void errors.push(error.message));
  const {width, height} = document.querySelector("#nodes")?.getBBox() ?? {};
  const shown = nodes().map(each => each.dataset.nodeFullname);
  const body = JSON.stringify({errors, nodes: shown, width, height, seen});
  fetch(SEND, {method: "POST", body});
});
