package dev.sund.bench.agents;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import java.util.List;

/** CNI DEL of pods one after the other. */
public final class CniDel implements Benchmark {
  @Override
  public String name() {
    return "cni-del";
  }

  @Override
  public String what() {
    return "CNI DEL, from the plugin's start to its end, beside Debian's bridge plugin";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    CniTurns del = CniTurns.measure(bench, "DEL");
    return List.of(
        Row.compared(
            "CNI DEL, beside bridge with ipMasq",
            "ms",
            del.masq(),
            Target.ratioAtMost(1.0 / 3),
            del.note()),
        Row.compared(
            "CNI DEL, beside bridge without ipMasq",
            "ms",
            del.plain(),
            Target.ratioAtMost(0.5),
            del.note()));
  }
}
