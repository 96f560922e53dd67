// The two kinds of charts, drawn by uPlot in the page's own colours; drawn anew when those or the width change.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("charts").textContent);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const whole = new Intl.NumberFormat("en");

  const shortSpan = (seconds) => {
    if (seconds < 120) return `${+seconds.toFixed(seconds < 10 ? 2 : 0)} s`;
    if (seconds < 7200) return `${+(seconds / 60).toFixed(1)} m`;
    return `${+(seconds / 3600).toFixed(1)} h`;
  };

  const axis = (more) => ({
    stroke: colour("--soft"), font: "12px system-ui, sans-serif", ticks: { show: false }, gap: 6,
    grid: { stroke: colour("--line"), width: 1 }, ...more,
  });
  const counts = { size: 44, values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? whole.format(tick) : "")) };

  // Below a chart: what its colours mean or, under the pointer, what its bar says.
  const keyOf = (series) => series.flatMap(({ label, colours }) => {
    const swatch = document.createElement("span");
    swatch.className = `swatch s-${colours}`;
    const word = document.createElement("span");
    word.append(swatch, label);
    return word;
  });
  const said = (parts) => parts.map(([value, word]) => {
    const part = document.createElement("span"), number = document.createElement("b");
    number.textContent = value;
    part.append(number, word ? ` ${word}` : "");
    return part;
  });

  const draw = (box, columns, series, x) => {
    const readout = box.nextElementSibling;
    const tell = (bar) => readout.replaceChildren(...(bar == null ? keyOf(x.key) : said(x.say(bar))));
    box.replaceChildren();
    tell(null);
    new uPlot({
      width: box.clientWidth, height: box.clientHeight, padding: [12, 28, 0, 16],
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      legend: { show: false },
      scales: { x: { time: x.time, range: () => x.range }, y: { range: (_, __, most) => [0, Math.max(1, most) * 1.05] } },
      axes: [axis({ grid: { show: false }, ...x.axis }), axis(counts)],
      series: [{}, ...series],
      hooks: { setCursor: [(plot) => tell(plot.cursor.left >= 0 ? x.barAt(plot.posToVal(plot.cursor.left, "x")) : null)] },
    }, columns, box);
  };

  // Bars begin at their instant and are as wide as their time; failures stand on top of the films.
  const bars = (name) => ({
    fill: colour(name), width: 0, points: { show: false },
    paths: uPlot.paths.bars({ align: 1, size: [0.86, 48], radius: 0.12 }),
  });
  const barOf = (first, width, number) => (value) => Math.min(number - 1, Math.max(0, Math.floor((value - first) / width)));

  const throughput = () => {
    const { start, width, saved, failed } = data.throughput;
    const at = saved.map((_, bar) => start + bar * width);
    const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: width < 60 ? "medium" : "short" });
    const columns = [at, saved], series = [bars("--good")], key = [{ label: "Saved", colours: "succeeded" }];
    if (failed.some((n) => n)) {
      columns.splice(1, 0, saved.map((n, bar) => n + failed[bar]));
      series.unshift(bars("--bad"));
      key.push({ label: "Failed", colours: "failed" });
    }
    draw(document.getElementById("throughput"), columns, series, {
      time: true, key, range: [start, start + saved.length * width], axis: { space: 70 },
      barAt: barOf(start, width, saved.length),
      say: (bar) => [[clock.format(new Date(at[bar] * 1000))], [whole.format(saved[bar]), "saved"], [whole.format(failed[bar]), "failed"]],
    });
  };

  const runTimes = (box) => {
    const { first, width, bins, slowest } = data.runTimes[+box.dataset.model];
    const at = bins.map((_, bin) => first + bin * width);
    draw(box, [at, bins], [bars("--run")], {
      time: false, key: [{ label: "Jobs", colours: "submitted" }], range: [first, first + bins.length * width],
      axis: { space: 60, values: (_, ticks) => ticks.map(shortSpan) },
      barAt: barOf(first, width, bins.length),
      say: (bar) => {
        const end = bar === bins.length - 1 ? Math.max(slowest, at[bar] + width) : at[bar] + width;
        return [[`${shortSpan(at[bar])} to ${shortSpan(end)}`], [whole.format(bins[bar]), bins[bar] === 1 ? "job" : "jobs"]];
      },
    });
  };

  const drawAll = () => {
    if (data.throughput) throughput();
    document.querySelectorAll(".run-times").forEach(runTimes);
  };

  let waiting = 0;
  const soon = () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(drawAll); };
  drawAll();
  addEventListener("resize", soon);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", soon);
  new MutationObserver(soon).observe(document.documentElement, { attributeFilter: ["data-theme"] });
})();
