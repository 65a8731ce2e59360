"""Names heard in the province of Luxembourg and its neighbours; the people are invented."""

_FAMILY_NAMES = {
    "fr": (
        "Adam Antoine Arnould Baijot Balthazar Barthélemy Bastin Baudoin Bernard Bertrand Bodart "
        "Bodson Bosquée Bouillon Bourguignon Bradfer Brasseur Calay Cara Charlier Clarinval "
        "Claude Clausse Collard Collignon Collin Conrard Copine Cornet Culot Dassy Davreux "
        "Debatty Defoy Dehard Delacroix Delaisse Delvaux Demoulin Denis Détaille Devillet "
        "Didier Docquier Dominique Dropsy Dumont Dury Éloy Englebert Évrard Fagny Fontaine "
        "Fourny François Frognet Gaspard Gatin Gavroy Georges Gérard Gerouville Gillet Gilson "
        "Godfroid Goffinet Grandjean Graisse Gribaumont Guillaume Guiot Habran Hainaut Halleux "
        "Hardy Hautot Henrotte Henry Herbeuval Hubert Hubermont Incoul Istace Jacob Jacoby "
        "Jacquemart Jacques Jadot Jamotte Jeanty Joris Kinard Laboulle Lambert Lamotte "
        "Lannoy Laurent Lecomte Ledent Lefèvre Lejeune Léonard Lequeux Libert Louppe Magnette "
        "Maillen Maréchal Marenne Martin Massard Mathieu Mathurin Maury Mernier Michaux Michel "
        "Minet Molitor Moreau Mouzon Nannan Nicolas Nizet Noël Nollevaux Octave Otjacques "
        "Paquay Paquet Pêcheur Penoy Perpète Petitjean Pierrard Pierret Piette Pigeon Pirard "
        "Poncelet Poncin Quirin Rausch Ravet Rémy Renauld Renson Richard Rion Robinet Rogier "
        "Rolin Rossignon Rouard Saudmont Schmitz Servais Simon Sosson Spoiden Stévenin Thiry "
        "Thomas Thiltges Tinant Toussaint Urbain Valet Vannérus Verlaine Vincent Voz Warnimont "
        "Wauthier Wavreille Wiame Yernaux Zacharie Zune"
    ),
    "de": (
        "Becker Bock Dahm Faber Feller Fisch Goebel Heinen Jost Keiser Kirsch Klein Lentz "
        "Leyens Maraite Mertens Müller Neumann Peters Pint Reuter Schaus Scholl Theis Wagner Weber"
    ),
    "nl": (
        "Aerts Claes Cools De_Backer De_Clercq De_Smet Goossens Hendrickx Janssens Lemmens "
        "Maes Mertens Peeters Van_Damme Van_den_Broeck Vermeulen Wouters Willems"
    ),
    "en": "Baker Carter Hughes Kelly Murphy O'Brien Turner Walsh",
}
_WOMEN = {
    "fr": (
        "Adèle Agnès Alice Aline Amélie Andrée Anne Annick Aurélie Béatrice Bernadette Camille "
        "Caroline Cécile Céline Chantal Chloé Christiane Claire Clémence Colette Danielle Élise "
        "Émilie Emma Estelle Eugénie Fabienne Florence Françoise Geneviève Georgette Ginette "
        "Hélène Inès Isabelle Jacqueline Jeanne Joëlle Julie Juliette Justine Laurence Léa Lina "
        "Louise Lucie Madeleine Manon Marcelle Marguerite Marie Marie-Thérèse Martine Mathilde "
        "Michèle Monique Nathalie Nicole Noémie Odette Paulette Pauline Renée Rosa Sabine Sarah "
        "Simone Solange Sophie Stéphanie Sylvie Thérèse Valérie Véronique Yvette Yvonne Zoé"
    ),
    "de": "Anna Elke Gisela Hannah Ingrid Karin Lena Monika Petra Ursula",
    "nl": "Ann Els Femke Greet Katrien Lotte Marijke Nele Sofie Veerle",
    "en": "Alison Emily Helen Margaret Rachel Susan",
}
_MEN = {
    "fr": (
        "Achille Adrien Albert Alexandre Alfred André Antoine Arnaud Arthur Augustin Baptiste "
        "Benoît Bernard Bruno Cédric Charles Christian Christophe Claude Clément Damien Daniel "
        "David Denis Dominique Edgard Émile Éric Étienne Fabrice Fernand Firmin Francis François "
        "Frédéric Gaston Georges Gérard Ghislain Gilbert Grégory Guillaume Guy Henri Hubert Hugo "
        "Jacques Jean Jean-Marie Jérôme Joseph Jules Julien Laurent Léon Louis Lucas Luc Marcel "
        "Marc Mathieu Maurice Michel Nathan Nicolas Noé Olivier Pascal Paul Philippe Pierre "
        "Quentin Raymond René Robert Roger Romain Sébastien Serge Simon Théo Thierry Thomas "
        "Vincent Xavier Yves"
    ),
    "de": "Bernd Dieter Günter Heinz Jürgen Karl Lukas Manfred Rolf Stefan",
    "nl": "Bart Dirk Geert Jan Koen Luc Pieter Stijn Tom Wim",
    "en": "Andrew Daniel Edward James Patrick Robert",
}


def _words(text: str) -> list[str]:
    return [word.replace("_", " ") for word in text.split()]


# By language; a name of two words is written with an underscore above.
FAMILY_NAMES = {language: _words(names) for language, names in _FAMILY_NAMES.items()}
WOMEN = {language: _words(names) for language, names in _WOMEN.items()}
MEN = {language: _words(names) for language, names in _MEN.items()}
