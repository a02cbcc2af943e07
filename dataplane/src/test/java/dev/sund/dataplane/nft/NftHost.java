package dev.sund.dataplane.nft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.Fd;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A namespace of its own in which tests run programs. */
final class NftHost implements AutoCloseable {
  private static int count;

  private final NetNs namespace;

  NftHost() throws KernelException {
    namespace = NetNs.create("sundt-dpnft-" + ProcessHandle.current().pid() + "-" + count++);
  }

  NetNs namespace() {
    return namespace;
  }

  /** Runs a program inside and returns what it printed; fails when it fails. */
  String run(String... command) throws IOException {
    List<String> all = new ArrayList<>(List.of("nsenter", "--net=" + namespace.path()));
    all.addAll(List.of(command));
    Process process = new ProcessBuilder(all).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
    assertThat(process.exitValue())
        .withFailMessage(() -> String.join(" ", all) + ": " + output)
        .isZero();
    return output;
  }

  /** Runs {@code nft} on a text in which each line is a command. */
  String nft(String text) throws IOException {
    java.nio.file.Path file = java.nio.file.Files.createTempFile("sundt", ".nft");
    try {
      java.nio.file.Files.writeString(file, text);
      return run("nft", "-a", "-f", file.toString());
    } finally {
      java.nio.file.Files.delete(file);
    }
  }

  @Override
  public void close() throws KernelException {
    namespace.delete();
    assertThat(Fd.openDescriptors()).isEmpty();
  }
}
