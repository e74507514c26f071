package seed

import "strings"

// Words of the data: plain ASCII without what COPY, arrays or JSON would want escaped.
var (
	firstNames = strings.Fields(`Anna Ben Clara David Emma Felix Greta Hugo Ida Jonas Klara Leon Mia Noah Olga Paul Quirin Rosa
		Simon Tilda Uwe Vera Wim Xenia Yann Zoe Amir Bianca Cem Daria Elif Farid Gita Hana Ivo Jana Kofi Lena Marek Nadia`)
	lastNames = strings.Fields(`Abel Brandt Costa Dreyer Eder Fuchs Graf Huber Ivanov Jansen Keller Lang Maier Novak Otto Petit
		Quandt Roth Simon Thal Ulrich Vogel Weber Xu Young Zander Adler Bauer Conrad Dietz Ernst Frank Gross Hahn Ilg Jung`)
	cities = strings.Fields(`Berlin Hamburg Munich Cologne Paris Lyon Nantes Lille Warsaw Gdansk Krakow Lodz Utrecht Leiden Delft
		Zurich Basel Bern Geneva Leipzig Dresden Bremen Kiel Mainz`)
	adjectives = strings.Fields(`able amber ancient brief bright broad calm careful cheap clean clever cold common cool curly daily damp
		dark dense dry early eager exact faint fair fast fine firm flat fresh full gentle glad golden good grand great green grey
		happy hard heavy honest huge idle keen large late lean light little local long loud lucky major mild minor modest narrow
		neat new nice noble old open pale plain proud pure quick quiet rare raw ready rich ripe rough round safe sharp short silent
		slow small smooth soft solid spare stable steep still strong sunny sweet swift tall thick thin tidy tiny urgent vast warm
		weak wet white whole wide wild wise young`)
	nouns = strings.Fields(`anchor apple arrow atlas badge barrel basket beacon bench blanket bottle bridge broom bucket button cabin
		cable candle canvas carpet castle chain chair cloud coat copper cork cotton cup curtain desk dish door drawer drum engine
		envelope fence field flag flute forest fork garden gate glass glove hammer harbor hat hinge island jacket kettle key kite
		ladder lake lamp leaf lemon lever lock magnet map market mask meadow mirror motor nail needle net notebook oven paddle
		paint paper parcel path pencil pepper piano pillow pipe planet plate pocket pump ribbon river road rocket roof rope sail
		salt saw scarf screen shelf shovel signal silk spoon spring stamp station stone stove string sugar table tent thread ticket
		tile timber tool tower train tray tunnel valley valve vase violin wagon wall watch wheel window wire wool`)
	verbs = strings.Fields(`answers asks bends binds blends blows boils borrows bounces breaks brings builds burns buys calls carries
		catches changes checks chooses climbs closes collects cooks counts covers crosses cuts delivers draws dries drives drops
		falls feeds fills finds fits floats flows folds follows gathers gives grows guards hangs heats helps hides holds joins
		jumps keeps knows lands lasts leads leaves lends lifts lights lists loads makes marks meets melts mends moves needs opens
		packs paints passes pays plants plays pours presses prints pulls pushes reaches reads repairs rests returns rides rings
		rises rolls runs saves seals sees sells sends serves shakes shares shines ships shows signs sinks sits sleeps slides sorts
		spins splits spreads stands starts stays stops stores swims takes tests ties touches trades travels turns visits waits
		walks washes wears weighs wins works wraps writes`)
)
