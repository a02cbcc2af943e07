package dev.sund.cli;

import dev.sund.doctor.Facts;
import dev.sund.doctor.LineText;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.inside.PodNames;
import dev.sund.doctor.pods.PodNetwork;
import dev.sund.engine.trace.Packet;
import dev.sund.engine.trace.Trace;
import dev.sund.lab.offline.OfflineCluster;
import dev.sund.model.Ip;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * Whether policies let a pod ask its DNS servers: traced over what this node's agent knows. Without
 * an agent nobody knows.
 */
final class PodPolicyFacts implements Facts {
  private final AgentTalk agent;
  private final PodNetwork pod;
  private final PodNames names;

  /**
   * Of one pod.
   *
   * @param names the same pod's
   */
  PodPolicyFacts(AgentTalk agent, PodNetwork pod, PodNames names) {
    this.agent = agent;
    this.pod = pod;
    this.names = names;
  }

  @Override
  public String tell(String name) throws UnreadException {
    LineText text = new LineText();
    try {
      OfflineCluster cluster = OfflineCluster.of(new LiveTrace(agent, pod.name(), "").known());
      for (Ip server : servers()) {
        for (String to : List.of(server(server) + ":53/udp", server(server) + ":53/tcp")) {
          TraceQuestion question = new TraceQuestion(cluster, "that the agent knows");
          List<Packet> packets = question.packets(pod.name(), to);
          line(question.cluster(), packets, to, text);
        }
      }
      return text.toString().isEmpty()
          ? unknown("the pod's DNS servers are not known")
          : text.toString();
    } catch (CommandFailure e) {
      return unknown((e.getMessage() + " " + e.remedy()).replaceFirst("\\.$", ""));
    } catch (IOException | IllegalArgumentException e) {
      return unknown("the agent's answer: " + e.getMessage());
    }
  }

  private void line(OfflineCluster cluster, List<Packet> packets, String to, LineText text) {
    for (Packet packet : packets) {
      Optional<Trace.Blocked> blocked =
          cluster.traces(packet).stream().flatMap(trace -> trace.blocked().stream()).findFirst();
      text.word("pod", pod.name())
          .word("to", to)
          .word("verdict", blocked.isPresent() ? "denied" : "allowed")
          .word(
              "why",
              blocked
                  .map(one ->
                      (one.isIsolated()
                              ? "no rule allows it, and it is isolated by "
                              : "denied by ")
                          + one.rule().object())
                  .orElse(""))
          .end();
    }
  }

  private List<Ip> servers() {
    try {
      return names.servers();
    } catch (UnreadException _) {
      return List.of(); // said by the checks of names
    }
  }

  private static String server(Ip ip) {
    return ip.toString().contains(":") ? "[" + ip + "]" : ip.toString();
  }

  private static String unknown(String why) {
    return new LineText().word("verdict", "unknown").word("why", why).end().toString();
  }
}
