package dev.sund.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class BlockingCallsTest {
  private static Throwable onVirtualThread(Runnable call) throws InterruptedException {
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    Thread.ofVirtual()
        .start(() -> {
          try {
            call.run();
          } catch (Throwable t) {
            thrown.set(t);
          }
        })
        .join();
    return thrown.get();
  }

  @Test
  void callsThatMayBlockRefuseVirtualThreads() throws InterruptedException {
    assertThat(onVirtualThread(() -> Libc.recv(-1, MemorySegment.NULL, 0, 0)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("recv blocks and so must run on a platform thread, but this thread is virtual");
    assertThat(onVirtualThread(() -> Libc.poll(MemorySegment.NULL, 0, 0)))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void enteringANamespaceRefusesVirtualThreads() throws InterruptedException {
    assertThat(
            onVirtualThread(() -> {
              try {
                NetNs.ofProcess().call(() -> true);
              } catch (KernelException e) {
                throw new AssertionError(e);
              }
            }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("NetNs.call");
  }

  @Test
  void aBodysOwnExceptionComesOutAsItIs() {
    assertThat(
            org.assertj.core.api.Assertions.catchThrowable(() ->
                NetNs.ofProcess()
                    .call(() -> {
                      throw new java.text.ParseException("of the body", 3);
                    })))
        .isInstanceOf(java.text.ParseException.class)
        .hasMessage("of the body");
  }
}
