package dev.sund.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.kernel.testing.TestNetns;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("netns")
class NetNsNetnsTest {
  private final TestNetns net = TestNetns.open();

  @AfterEach
  void close() {
    net.close();
  }

  private static String here() throws KernelException {
    try {
      return Files.readSymbolicLink(Path.of("/proc/thread-self/ns/net")).toString();
    } catch (java.io.IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aBodyRunsInsideAndTheCallerStaysWhereItWas() throws KernelException {
    NetNs a = net.create("a");
    String home = here();
    String inside = a.call(NetNsNetnsTest::here);
    assertThat(inside).isEqualTo("net:[" + a.inode().orElseThrow() + "]").isNotEqualTo(home);
    assertThat(here()).isEqualTo(home);
    assertThat(NetNs.ofProcess().call(NetNsNetnsTest::here)).isEqualTo(home);
  }

  @Test
  void fromInsideOneNamespaceAnotherIsEnteredAndAlsoTheProcesssOwn() throws KernelException {
    NetNs a = net.create("a");
    NetNs b = net.create("b");
    String home = here();
    assertThat(a.call(() -> b.call(NetNsNetnsTest::here)))
        .isEqualTo("net:[" + b.inode().orElseThrow() + "]");
    assertThat(a.call(() -> NetNs.ofProcess().call(NetNsNetnsTest::here))).isEqualTo(home);
  }

  @Test
  void manyCallsAtOnceAllSeeTheirOwnNamespace() {
    NetNs a = net.create("a");
    NetNs b = net.create("b");
    List<CompletableFuture<Boolean>> calls = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
      for (int i = 0; i < 200; i++) {
        NetNs namespace = i % 2 == 0 ? a : b;
        calls.add(
            CompletableFuture.supplyAsync(
                () -> {
                  try {
                    return namespace
                        .call(NetNsNetnsTest::here)
                        .equals("net:[" + namespace.inode().orElseThrow() + "]");
                  } catch (KernelException e) {
                    throw new AssertionError(e);
                  }
                },
                threads));
      }
      assertThat(calls).allMatch(CompletableFuture::join);
    }
  }

  @Test
  void namesAreExclusiveAndGoneAfterDeletion() throws KernelException {
    NetNs a = net.create("a");
    assertThatThrownBy(() -> NetNs.create(a.toString()))
        .isInstanceOf(KernelException.AlreadyExists.class)
        .hasMessage("create namespace " + a + ": AlreadyExists (EEXIST, kernel: \"File exists\")");
    assertThat(TestNetns.execute(List.of("ip", "netns", "list")).out()).contains(a.toString());
    assertThat(a.exists()).isTrue();
    assertThat(a.delete()).isTrue();
    assertThat(a.delete()).isFalse();
    assertThat(a.exists()).isFalse();
    assertThat(a.inode()).isEmpty();
    assertThatThrownBy(() -> a.call(() -> true))
        .isInstanceOf(KernelException.NotFound.class)
        .hasMessageContaining("open namespace " + a.path());
  }

  @Test
  void aFileThatIsNoNamespaceIsRefused() throws Exception {
    Path file = Files.createTempFile("sundt", ".txt");
    try {
      assertThatThrownBy(() -> NetNs.call(file, () -> true))
          .isInstanceOf(KernelException.Refused.class)
          .hasMessageContaining("enter namespace " + file)
          .hasMessageContaining("EINVAL");
    } finally {
      Files.delete(file);
    }
  }

  @Test
  void whatABodyThrowsComesToTheCaller() {
    NetNs a = net.create("a");
    assertThatThrownBy(() ->
            a.call(() -> {
              throw new java.io.FileNotFoundException("of the body");
            }))
        .isInstanceOf(java.io.FileNotFoundException.class)
        .hasMessage("of the body");
    assertThatThrownBy(() ->
            a.call(() -> {
              throw new IllegalStateException("unchecked");
            }))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void anInterruptedCallerStillGetsTheResultAndKeepsItsInterrupt() throws KernelException {
    NetNs a = net.create("a");
    Thread.currentThread().interrupt();
    assertThat(a.call(() -> 7)).isEqualTo(7);
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void sysctlsAreThoseOfTheNamespace() throws KernelException {
    NetNs a = net.create("a");
    Sysctl forward = Sysctl.ipv4("ip_forward");
    Sysctl strict = Sysctl.ipv4Conf("lo", "rp_filter");
    Sysctl nowhere = Sysctl.ipv4Conf("eth77", "rp_filter");
    String home = forward.read(NetNs.ofProcess()).orElseThrow();

    forward.write(a, 1);
    assertThat(forward.readInt(a)).contains(1);
    assertThat(TestNetns.run(a, "cat", "/proc/sys/net/ipv4/ip_forward").strip()).isEqualTo("1");
    assertThat(forward.read(NetNs.ofProcess())).contains(home);
    assertThat(nowhere.read(a)).isEmpty();

    Map<Sysctl, String> values = new LinkedHashMap<>();
    values.put(nowhere, "2");
    values.put(strict, "2");
    values.put(forward, "many");
    assertThat(Sysctl.writeAll(a, values))
        .extracting(Throwable::getMessage)
        .containsExactly(
            "write sysctl net/ipv4/conf/eth77/rp_filter = 2: NotFound"
                + " (ENOENT, kernel: \"No such file or directory\")",
            "write sysctl net/ipv4/ip_forward = many: Refused"
                + " (EINVAL, kernel: \"Invalid argument\")");
    assertThat(Sysctl.readAll(a, List.of(strict, nowhere, forward)))
        .containsExactly(Map.entry(strict, "2"), Map.entry(forward, "1"));
  }
}
