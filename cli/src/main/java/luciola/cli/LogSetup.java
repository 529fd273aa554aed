package luciola.cli;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.spi.ContextAwareBase;

/**
 * Logging without a configuration file: one line an event on standard error, nothing at all for
 * commands (what they have to say they say themselves), INFO for servers. The level is read when
 * the first logger is made, so it is set before. Found by Logback through {@code
 * META-INF/services}.
 */
public final class LogSetup extends ContextAwareBase implements Configurator {
  private static final String LEVEL = "luciola.log.level";

  /** How much is logged. */
  public enum Level {
    OFF,
    ERROR,
    WARN,
    INFO,
    DEBUG
  }

  /** Sets the level of this process unless the JVM's command line has set one. */
  public static void level(Level level) {
    if (System.getProperty(LEVEL) == null) {
      System.setProperty(LEVEL, level.name());
    }
  }

  @Override
  public ExecutionStatus configure(LoggerContext context) {
    var encoder = new PatternLayoutEncoder();
    encoder.setContext(context);
    encoder.setPattern("%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5level %logger{0} %msg%n%ex");
    encoder.start();
    var appender = new ConsoleAppender<ILoggingEvent>();
    appender.setContext(context);
    appender.setName("stderr");
    appender.setTarget("System.err");
    appender.setEncoder(encoder);
    appender.start();
    var root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    var level =
        ch.qos.logback.classic.Level.toLevel(
            System.getProperty(LEVEL), ch.qos.logback.classic.Level.OFF);
    root.setLevel(level);
    root.addAppender(appender);
    quieten(context, level);
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }

  /** Libraries say much at INFO that nobody who runs a cluster asked for. */
  private static void quieten(LoggerContext context, ch.qos.logback.classic.Level level) {
    if (level.equals(ch.qos.logback.classic.Level.INFO)) {
      for (String library : new String[] {"org.apache.ratis", "io.netty", "io.grpc"}) {
        context.getLogger(library).setLevel(ch.qos.logback.classic.Level.WARN);
      }
    }
  }
}
