package dev.sund.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.OptionalLong;

/**
 * What only a checkout can do, since it needs what no release carries: run the tests, run the
 * benchmarks. The modules {@code it} and {@code bench} provide it as a service; the commands know
 * only their options.
 */
public interface CheckoutTool {
  /**
   * What is wanted of a tool.
   *
   * @param names what to run, by parts of names; everything when empty
   * @param thorough whether to run the long counts
   * @param seed the seed of all that is random; empty for a new one, which is printed
   * @param json whether to print JSON
   * @param color whether colours may be used
   */
  record Request(
      List<String> names, boolean thorough, OptionalLong seed, boolean json, boolean color) {
    public Request {
      names = List.copyOf(names);
    }
  }

  /** The command that this serves: {@code test} or {@code bench}. */
  String command();

  /** Does it, printing to {@code out}, and returns the exit code of the process. */
  int run(Request request, PrintWriter out) throws Exception;
}
