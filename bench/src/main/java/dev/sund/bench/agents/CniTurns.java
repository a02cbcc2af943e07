package dev.sund.bench.agents;

import dev.sund.bench.Bench;
import dev.sund.bench.Pairs;
import dev.sund.bench.agents.CniBed.Sandbox;
import dev.sund.bench.agents.CniBed.Who;

/**
 * One verb measured in turns with the reference plugins: a pod of each, then the next.
 *
 * @param masq beside bridge with ipMasq
 * @param plain beside bridge without
 * @param note how it was measured
 */
record CniTurns(Pairs masq, Pairs plain, String note) {
  /** Measures {@code ADD} or {@code DEL}; what is not measured is done all the same. */
  static CniTurns measure(Bench bench, String verb) throws Exception {
    int pods = bench.thorough() ? 200 : 100;
    try (CniBed bed = new CniBed(bench)) {
      bench.say("an agent is ready; warming up");
      for (int i = 0; i < 30; i++) {
        one(bed, Who.OURS, verb);
      }
      bench.say(pods + " pods in turns with bridge and ipMasq, then without");
      Pairs masq =
          Pairs.run(pods, () -> one(bed, Who.OURS, verb), () -> one(bed, Who.BRIDGE_MASQ, verb));
      Pairs plain =
          Pairs.run(pods, () -> one(bed, Who.OURS, verb), () -> one(bed, Who.BRIDGE, verb));
      return new CniTurns(
          masq,
          plain,
          "%d pods in turns, fork to exit, IPv4; ours is routed and masquerades by one set for all"
                  .formatted(pods)
              + " pods, with an address of our own allocation");
    }
  }

  private static double one(CniBed bed, Who who, String verb) throws Exception {
    Sandbox sandbox = bed.sandbox(who);
    double add = bed.call("ADD", sandbox);
    double del = bed.call("DEL", sandbox);
    bed.drop(sandbox);
    return verb.equals("ADD") ? add : del;
  }
}
