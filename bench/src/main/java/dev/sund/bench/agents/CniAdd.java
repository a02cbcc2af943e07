package dev.sund.bench.agents;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import java.util.List;

/** CNI ADD of pods one after the other. */
public final class CniAdd implements Benchmark {
  @Override
  public String name() {
    return "cni-add";
  }

  @Override
  public String what() {
    return "CNI ADD, from the plugin's start to its end, beside Debian's bridge plugin";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    CniTurns add = CniTurns.measure(bench, "ADD");
    return List.of(
        Row.compared(
            "CNI ADD, beside bridge with ipMasq",
            "ms",
            add.masq(),
            Target.ratioAtMost(0.2),
            add.note()),
        Row.compared(
            "CNI ADD, beside bridge without ipMasq",
            "ms",
            add.plain(),
            Target.ratioAtMost(0.4),
            add.note()));
  }
}
