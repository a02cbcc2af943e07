package dev.sund.lab.question;

import static java.util.stream.Collectors.joining;

import dev.sund.engine.trace.Trace.Carriage;
import dev.sund.engine.trace.Trace.Step;
import dev.sund.model.Ip;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What prediction or measurement says to a {@link Question}. Two answers agree when {@link
 * #agreesWith} says so; what is only for people is left out of that.
 */
public sealed interface Answer {

  /** Whether both say the same. */
  boolean agreesWith(Answer other);

  /** How a request ends. */
  enum Reach {
    /** It is answered. */
    YES("yes"),
    /** The owner of the address says that nobody listens. */
    REFUSED("refused"),
    /** It is not answered. */
    NO("no");

    private final String label;

    Reach(String label) {
      this.label = label;
    }

    /** {@code yes}, {@code refused} or {@code no}. */
    public String label() {
      return label;
    }
  }

  /** What becomes of a packet that is one byte too long. */
  enum Larger {
    /** The sender is told, by its own kernel or by ICMP. */
    TOLD("told"),
    /** It vanishes. */
    SILENT("silent"),
    /** Nobody asked, or no packet arrives at all. */
    UNKNOWN("unknown");

    private final String label;

    Larger(String label) {
      this.label = label;
    }

    /** {@code told}, {@code silent} or {@code unknown}. */
    public String label() {
      return label;
    }
  }

  /**
   * To {@link Question.Kind#REACH}.
   *
   * @param reach how it ends
   * @param source the source address as the receiver saw it, when it was answered
   * @param why one phrase for people, such as {@code address-unused} or {@code ICMP from n3}
   */
  record Reached(Reach reach, Optional<Ip> source, String why) implements Answer {
    @Override
    public boolean agreesWith(Answer other) {
      return other instanceof Reached that && reach == that.reach && source.equals(that.source);
    }
  }

  /**
   * One way in which a Service's answer can turn out.
   *
   * @param reach how it ends
   * @param by who answers, such as {@code shop/web}; empty when nobody does
   * @param source the source address as it saw it, when it was answered
   */
  record Way(Reach reach, String by, Optional<Ip> source) implements Comparable<Way> {
    @Override
    public int compareTo(Way other) {
      return toString().compareTo(other.toString());
    }

    /** {@code refused}, or {@code shop/web sees 10.244.1.5}. */
    @Override
    public String toString() {
      return by.isEmpty() ? reach.label() : by + source.map(ip -> " sees " + ip).orElse("");
    }
  }

  /**
   * To {@link Question.Kind#SERVICE}.
   *
   * @param ways all in which it can turn out; of a measurement, in which it did
   * @param sampled whether it was measured: then chance has met some of the ways and not others
   */
  record Served(SortedSet<Way> ways, boolean sampled) implements Answer {
    public Served {
      ways = Collections.unmodifiableSortedSet(new TreeSet<>(ways));
    }

    @Override
    public boolean agreesWith(Answer other) {
      return other instanceof Served that
          && (that.sampled ? ways.containsAll(that.ways) : ways.equals(that.ways));
    }

    /** {@code yes}, {@code refused}, {@code no}, or several. */
    public String reach() {
      return ways.stream().map(way -> way.reach().label()).distinct().collect(joining("/"));
    }

    /** {@code shop/web sees 10.244.1.5, shop/web-2 sees 10.244.1.5}, or {@code none}. */
    @Override
    public String toString() {
      String text =
          ways.stream()
              .filter(way -> !way.by().isEmpty())
              .map(Way::toString)
              .collect(joining(", "));
      return text.isEmpty() ? "none" : text;
    }
  }

  /**
   * To {@link Question.Kind#PATH}.
   *
   * @param steps the machines in order; empty when the packet does not arrive
   */
  record Path(List<Step> steps) implements Answer {
    public Path {
      steps = List.copyOf(steps);
    }

    @Override
    public boolean agreesWith(Answer other) {
      return equals(other);
    }

    /** {@code n1 >vxlan> n3}, {@code n1 > router > outside}, {@code n1}, or {@code none}. */
    @Override
    public String toString() {
      if (steps.isEmpty()) {
        return "none";
      }
      StringBuilder text = new StringBuilder();
      for (int i = 0; i < steps.size(); i++) {
        text.append(steps.get(i).machine());
        if (i + 1 < steps.size()) {
          text.append(arrow(steps.get(i).carriage()));
        }
      }
      return text.toString();
    }

    private static String arrow(Carriage carriage) {
      return switch (carriage) {
        case LOCAL, DIRECT -> " > ";
        case IPIP -> " >ipip> ";
        case VXLAN -> " >vxlan> ";
      };
    }
  }

  /**
   * To {@link Question.Kind#MTU}.
   *
   * @param bytes the largest packet that arrives undivided, 0 when none does
   * @param larger what becomes of one byte more
   */
  record Mtu(int bytes, Larger larger) implements Answer {
    @Override
    public boolean agreesWith(Answer other) {
      return equals(other);
    }

    /** {@code 1430}, with {@code (silent)} behind it when one byte more vanishes. */
    @Override
    public String toString() {
      return bytes + (larger == Larger.SILENT ? "(silent)" : "");
    }
  }
}
