package dev.sund.doctor.tune;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** Loads modules of the kernel and takes them out. */
public interface KernelModules {
  /**
   * Loads a module, and what it needs.
   *
   * @throws IOException saying why the kernel does not have it now
   */
  void load(String name) throws IOException;

  /** Takes a module out; false when somebody uses it. */
  boolean unload(String name) throws IOException;

  /** By modprobe, which knows where this system keeps its modules. */
  static KernelModules modprobe() {
    return new KernelModules() {
      @Override
      public void load(String name) throws IOException {
        String said = run("modprobe", name);
        if (!said.isEmpty()) {
          throw new IOException("modprobe " + name + ": " + said);
        }
      }

      @Override
      public boolean unload(String name) throws IOException {
        return run("modprobe", "-r", name).isEmpty();
      }
    };
  }

  /** What a program complains of; empty when it did its work. */
  private static String run(String... command) throws IOException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (!process.waitFor(60, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        return "no answer in 60 seconds";
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "interrupted";
    }
    return process.exitValue() == 0
        ? ""
        : said.isBlank() ? "exit code " + process.exitValue() : said.strip();
  }
}
