// Draws every element with data-chart: {labels, unit, sideways, series: [{name, type, area, stack, colour, values}]}. Colours are the page's own tokens.

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const COLOURS = ["--brand", "--bar-warn", "--bar-received", "--violet", "--info", "--bar-scrap"];
const drawn = new Map();
const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

const option = ({ labels, unit, series, sideways }) => {
  const ink = token("--ink-3");
  const line = token("--line-soft");
  const said = (value) => (value === null || value === undefined ? "–" : `${value.toLocaleString(document.documentElement.lang)} ${unit}`);
  const names = { type: "category", data: labels, axisLine: { lineStyle: { color: token("--line") } }, axisTick: { show: false }, axisLabel: { color: ink } };
  const amounts = { type: "value", minInterval: 1, splitLine: { lineStyle: { color: line } }, axisLabel: { color: ink, formatter: (value) => value.toLocaleString(document.documentElement.lang) } };
  return {
    animation: !still,
    aria: { enabled: true },
    color: COLOURS.map(token),
    textStyle: { fontFamily: "Inter, sans-serif", color: ink },
    grid: { left: 8, right: 12, top: 34, bottom: 4, containLabel: true },
    legend: { type: "scroll", top: 0, left: 0, icon: "roundRect", itemWidth: 10, itemHeight: 10, textStyle: { color: token("--ink-2") } },
    tooltip: {
      trigger: "axis",
      renderMode: "richText", // HTML would need styles in elements, which the content policy forbids
      backgroundColor: token("--raised"),
      borderColor: token("--line"),
      textStyle: { color: token("--ink"), fontSize: 12.5 },
      valueFormatter: said,
    },
    xAxis: sideways ? amounts : names,
    yAxis: sideways ? { ...names, inverse: true } : amounts,
    series: series.map(({ name, type, area, values, stack, colour }) => ({
      stack,
      color: colour && token(colour),
      name,
      type,
      data: values,
      connectNulls: false,
      symbol: "circle",
      symbolSize: 6,
      barMaxWidth: 22,
      areaStyle: area ? { opacity: 0.12 } : undefined,
      itemStyle: type === "bar" ? { borderRadius: stack ? 0 : sideways ? [0, 3, 3, 0] : [3, 3, 0, 0] } : undefined,
    })),
  };
};

const draw = () => {
  for (const [place, chart] of drawn) {
    if (!place.isConnected) {
      chart.dispose();
      drawn.delete(place);
    }
  }
  for (const place of document.querySelectorAll("[data-chart]")) {
    const chart = drawn.get(place) ?? window.echarts.init(place, null, { renderer: "svg" });
    drawn.set(place, chart);
    chart.setOption(option(JSON.parse(place.dataset.chart)), true);
  }
};

draw();
document.addEventListener("htmx:after:swap", draw);
window.addEventListener("resize", () => drawn.forEach((chart) => chart.resize()));
new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
