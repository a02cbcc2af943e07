package dev.sund.kernel.testing;

import dev.sund.kernel.NetNs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The {@code nft} program of a namespace: tests' independent reader and writer of nf_tables. */
public record NftProgram(NetNs namespace) {
  /**
   * Runs {@code nft ARGUMENTS} and returns what it printed.
   *
   * @throws AssertionError when it fails
   */
  public String run(String... arguments) {
    return TestNetns.run(
        namespace, Stream.concat(Stream.of("nft"), Stream.of(arguments)).toArray(String[]::new));
  }

  /** The whole rule set, as {@code nft list ruleset} prints it. */
  public String ruleset() {
    return run("list", "ruleset");
  }

  /** Loads commands or a rule set from text, in one transaction. */
  public void load(String text) {
    try {
      Path file = Files.createTempFile("sundt", ".nft");
      try {
        Files.writeString(file, text);
        run("-f", file.toString());
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
