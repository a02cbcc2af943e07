package dev.sund.doctor.dns;

import dev.sund.doctor.LineText;
import dev.sund.doctor.dns.DnsClient.Answer;
import dev.sund.doctor.dns.DnsClient.Type;
import dev.sund.kernel.KernelException;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.List;

/** Asks what checks want to know of DNS servers, and writes a line for each answer. */
public final class DnsQuestions {
  /** The two questions that C libraries send at once. */
  private static final List<Type> BOTH = List.of(Type.A, Type.AAAA);

  /** So many pairs of them: a race that is lost one time in ten is seen at most looks. */
  private static final int PAIRS = 10;

  private final DnsClient client;
  private final LineText out;

  /** Questions by a client, written to a text. */
  public DnsQuestions(DnsClient client, LineText out) {
    this.client = client;
    this.out = out;
  }

  /**
   * A server's ways: each type alone, both at once, and by TCP. One that says nothing is asked
   * three times and no more.
   */
  public void server(Ip server, String name) throws KernelException {
    boolean came = false;
    for (Type type : BOTH) {
      Answer alone = alone(server, name, type);
      came |= alone.came();
    }
    if (!came) {
      came = alone(server, name, Type.A).came();
    }
    for (int i = 0; came && i < PAIRS; i++) {
      List<Answer> both = client.udp(server, name, BOTH);
      write("pair", server, name, both);
      if (!both.stream().allMatch(Answer::came)) {
        break; // one is enough to know, and each costs the whole patience
      }
    }
    tcp(server, name);
  }

  /** Some questions one after another, as of who looks whether a server is fast; and one by TCP. */
  public void speed(Ip server, String name, int times) throws KernelException {
    int lost = 0;
    for (int i = 0; i < times && lost < 2; i++) {
      lost += alone(server, name, Type.A).came() ? 0 : 1;
    }
    tcp(server, name);
  }

  private Answer alone(Ip server, String name, Type type) throws KernelException {
    List<Answer> answer = client.udp(server, name, List.of(type));
    write(type.name(), server, name, answer);
    return answer.getFirst();
  }

  private void tcp(Ip server, String name) throws KernelException {
    write("tcp", server, name, List.of(client.tcp(server, name, Type.A)));
  }

  /**
   * A name in all its expansions, until one is there.
   *
   * @param asked as a program asks for it
   */
  public void name(Ip server, String asked, List<String> expansions) throws KernelException {
    boolean found = false;
    int silent = 0;
    for (String name : expansions) {
      List<Answer> both = new ArrayList<>(client.udp(server, name, BOTH));
      for (int i = 0; i < both.size(); i++) {
        if (both.get(i).truncated()) {
          both.set(i, client.tcp(server, name, BOTH.get(i))); // as C libraries do
        }
      }
      // Of a type that nobody answers another check speaks; the name is known by the other type.
      Answer first = both.getFirst().came() ? both.getFirst() : both.getLast();
      int answers = both.stream().mapToInt(Answer::answers).sum();
      out.word("name", asked)
          .word("as", name)
          .word("server", server)
          .word("outcome", first.outcome())
          .word("answers", answers)
          .word(
              "micros",
              both.stream().filter(Answer::came).mapToLong(Answer::micros).max().orElse(0))
          .end();
      found = answers > 0;
      silent += first.came() ? 0 : 1;
      if (found || silent > 1) {
        break;
      }
    }
  }

  private void write(String way, Ip server, String name, List<Answer> answers) {
    out.word("asked", way).word("server", server).word("name", name);
    for (int i = 0; i < answers.size(); i++) {
      String which = i == 0 ? "" : "2";
      Answer answer = answers.get(i);
      out.word("outcome" + which, answer.outcome())
          .word("micros" + which, answer.micros())
          .word("answers" + which, answer.answers())
          .flag("truncated" + which, answer.truncated());
    }
    out.end();
  }
}
