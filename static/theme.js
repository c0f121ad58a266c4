// Runs before the first paint: the stored theme and row height, else the system's theme.
(() => { const r = document.documentElement; let s = {}; try { s = localStorage; } catch { /* storage is off */ } r.dataset.bsTheme = s.scTheme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"); r.dataset.density = s.scDensity || "normal"; })();
