package dev.sund.agent;

import dev.sund.kernel.NetNs;
import dev.sund.kube.api.Dialer;
import dev.sund.model.Marks;
import java.io.IOException;
import java.net.Socket;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Makes sockets in a network namespace for whichever thread asks. Who asks may be virtual, and a
 * namespace is entered on platform threads only; making a socket takes no time, so the asker waits.
 */
final class NamespaceDialer implements Dialer {
  private final NetNs namespace;

  NamespaceDialer(NetNs namespace) {
    this.namespace = namespace;
  }

  @Override
  public Socket open() throws IOException {
    FutureTask<Socket> task = new FutureTask<>(() -> namespace.call(Dialer::newSocket));
    Thread.ofPlatform().daemon(true).name(Marks.THREAD_PREFIX + "dial").start(task);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException _) {
          interrupted = true; // the socket is there at once; left alone it would stay open
        } catch (ExecutionException e) {
          if (e.getCause() instanceof IOException failure) {
            throw failure;
          }
          throw new IllegalStateException(e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
