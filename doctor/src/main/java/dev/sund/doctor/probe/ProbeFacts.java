package dev.sund.doctor.probe;

import dev.sund.doctor.Facts;
import dev.sund.doctor.Rights;
import dev.sund.doctor.UnreadException;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Tells the fact {@code probe}: measures once, when it is first asked. On a platform thread. */
public final class ProbeFacts implements Facts {
  private final NetNs node;
  private final ProbeSettings settings;
  private final RandomGenerator random;
  private @Nullable String told;
  private @Nullable UnreadException failure;

  /**
   * Of a peer.
   *
   * @param node the network that it is measured from
   * @param random for the session's key: one that cannot be guessed
   */
  public ProbeFacts(NetNs node, ProbeSettings settings, RandomGenerator random) {
    this.node = node;
    this.settings = settings;
    this.random = random;
  }

  @Override
  public String tell(String name) throws UnreadException {
    if (failure != null) {
      throw failure;
    }
    String text = told;
    if (text == null) {
      try {
        text = Prober.probe(node, settings, random);
        told = text;
      } catch (UnreadException e) {
        failure = e;
        throw e;
      } catch (KernelException e) {
        failure = new UnreadException(why(e), remedy(e));
        throw failure;
      }
    }
    return text;
  }

  private static String why(KernelException e) {
    return switch (e) {
      case KernelException.Denied _ -> "a probe's packet sockets: permission denied";
      case KernelException _ -> "probe: " + e.getMessage();
    };
  }

  private static String remedy(KernelException e) {
    return switch (e) {
      case KernelException.Denied _ ->
          System.getProperty("user.name", "").equals("root")
              ? "This root may not open them: a container needs CAP_NET_RAW."
              : Rights.remedy();
      case KernelException _ -> "Is there a route to the peer? ip route get ADDRESS shows it.";
    };
  }
}
